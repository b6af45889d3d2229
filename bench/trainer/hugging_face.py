"""The peer: transformers' Trainer on a LlamaForCausalLM of the same shape, batch and libtorch; the protocol of contender.ts.
hugging_face.py V,D,F,L,H,T DTYPE THREADS FOLDER"""
import json
import resource
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments

V, D, FF, L, H, T = map(int, sys.argv[1].split(","))
dtype, threads, folder = sys.argv[2], int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=V, hidden_size=D, intermediate_size=FF, num_hidden_layers=L, num_attention_heads=H, num_key_value_heads=H,
    max_position_embeddings=T, tie_word_embeddings=True, rms_norm_eps=1e-5, use_cache=False,
)  # fmt: skip
model = LlamaForCausalLM(config)


class Rows(torch.utils.data.Dataset):
    """Tokenized already and in memory: the trainer has no text to read."""

    def __init__(self):
        self.ids = torch.randint(V, (4096, T))

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return {"input_ids": self.ids[i], "labels": self.ids[i]}


class Turns(TrainerCallback):
    left, first, begin, cpu = 1, True, 0.0, 0.0

    def on_train_begin(self, *_, **__):
        self.begin, self.cpu = time.perf_counter(), time.process_time()

    def on_step_end(self, args, state, control, **_):
        self.left -= 1
        if self.left > 0:
            return
        seconds = time.perf_counter() - self.begin
        report = {"seconds": seconds, "cpuSeconds": time.process_time() - self.cpu, "loss": 0, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        print(json.dumps({"firstStepSeconds": seconds} if self.first else report), flush=True)
        self.first = False
        line = sys.stdin.readline()
        if not line.strip():
            control.should_training_stop = True
            return
        self.left, self.begin, self.cpu = int(line), time.perf_counter(), time.process_time()


arguments = TrainingArguments(
    output_dir=folder, max_steps=100_000, per_device_train_batch_size=8, learning_rate=3e-4, weight_decay=0.1, adam_beta2=0.95,
    max_grad_norm=1.0, lr_scheduler_type="constant", optim="adamw_torch_fused", bf16=dtype == "bfloat16", use_cpu=True,
    save_strategy="no", report_to=[], disable_tqdm=True, logging_steps=1_000_000, dataloader_pin_memory=False,
)  # fmt: skip
Trainer(model=model, args=arguments, train_dataset=Rows(), callbacks=[Turns()]).train()
