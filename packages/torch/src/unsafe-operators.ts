/**
 * Operators that libtorch itself runs without checking their arguments: found by random calls that killed the process
 * (`test/random-calls.ts`). They are parts of other operators, which check first and stay available; called directly from
 * TypeScript they are refused, because an error can be caught and a crash cannot.
 */
const PACKED = "takes packed weights whose layout it does not check; a wrong one is read out of bounds";
const BACKWARD = "is the backward half of an operator and reads its arguments unchecked; differentiate the operator instead";
const HELPER = "is a step inside another operator and reads its arguments unchecked; call that operator instead";

export const unsafeOperators: Readonly<Record<string, string>> = {
  "aten::_batch_norm_impl_index_backward": BACKWARD,
  "aten::_chunk_cat": HELPER,
  "aten::_cholesky_solve_helper": `${HELPER} (cholesky_solve)`,
  "aten::_compute_linear_combination": `${HELPER} (matrix_exp)`,
  "aten::_convert_indices_from_coo_to_csr": `${HELPER} (to_sparse_csr)`,
  "aten::_convert_indices_from_csr_to_coo": `${HELPER} (to_sparse)`,
  "aten::_cummax_helper": `${HELPER} (cummax)`,
  "aten::_cummin_helper": `${HELPER} (cummin)`,
  "aten::_ctc_loss_backward": `${BACKWARD} (ctc_loss)`,
  "aten::_dyn_quant_matmul_4bit": PACKED,
  "aten::_fft_c2c": `${HELPER} (fft_fft)`,
  "aten::_fft_c2r": `${HELPER} (fft_irfft)`,
  "aten::_fft_r2c": `${HELPER} (fft_rfft)`,
  "aten::_foreach_copy": "copies into tensors without data unchecked; use _foreach_copy_ on tensors of one device",
  "aten::_fused_moving_avg_obs_fq_helper": HELPER,
  "aten::_log_softmax_backward_data": `${BACKWARD} (log_softmax)`,
  "aten::_logcumsumexp": `${HELPER} (logcumsumexp)`,
  "aten::_nested_compute_contiguous_strides_offsets": HELPER,
  "aten::_new_zeros_with_same_feature_meta": HELPER,
  "aten::_nnpack_spatial_convolution": `${HELPER} (conv2d)`,
  "aten::_pdist_backward": `${BACKWARD} (pdist)`,
  "aten::_pdist_forward": `${HELPER} (pdist)`,
  "aten::_remove_batch_dim": "belongs to function transforms, which have no counterpart here",
  "aten::_reshape_alias_copy": `${HELPER} (reshape)`,
  "aten::_slow_conv2d_backward": BACKWARD,
  "aten::_softmax_backward_data": `${BACKWARD} (softmax)`,
  "aten::_stack": `${HELPER} (stack)`,
  "aten::_thnn_differentiable_gru_cell_backward": BACKWARD,
  "aten::_thnn_differentiable_lstm_cell_backward": BACKWARD,
  "aten::_transform_bias_rescale_qkv": `${HELPER} (scaled_dot_product_attention)`,
  "aten::_unsafe_masked_index": `${HELPER} (index, where)`,
  "aten::_unsafe_masked_index_put_accumulate": `${HELPER} (index_put)`,
  "aten::_weight_norm": `${HELPER}; write it as g · v / ‖v‖`,
  "aten::_weight_norm_interface": `${HELPER}; write it as g · v / ‖v‖`,
  "aten::batch_norm_update_stats": `${HELPER} (batch_norm)`,
  "aten::conv_tbc_backward": `${BACKWARD} (conv_tbc)`,
  "aten::embedding_dense_backward": `${BACKWARD} (embedding): an index beyond the table writes past its counts`,
  "aten::embedding_backward": `${BACKWARD} (embedding): an index beyond the table writes past its counts`,
  "aten::fractional_max_pool2d_backward": BACKWARD,
  "aten::fractional_max_pool3d_backward": BACKWARD,
  "aten::quantized_lstm_cell": PACKED,
  "aten::range": "writes into results of the wrong size or dtype unchecked, and is deprecated; use arange",
  "aten::reflection_pad1d_backward": BACKWARD,
  "aten::reflection_pad2d_backward": BACKWARD,
};
