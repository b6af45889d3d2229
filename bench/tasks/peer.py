"""The same task by lm-evaluation-harness: seconds of its likelihood pass and its scores, as one line of JSON."""

import json
import logging
import os
import sys
import time

os.environ["HF_DATASETS_OFFLINE"] = "1"
import torch
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoModelForCausalLM, AutoTokenizer

logging.disable(logging.WARNING)
folder, tasks, limit, fewshot = sys.argv[1:5]
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
lm = HFLM(pretrained=model, tokenizer=AutoTokenizer.from_pretrained(folder), batch_size=16, device="cpu")
elapsed = 0.0
inner = lm.loglikelihood


def timed(requests, **options):
    global elapsed
    start = time.perf_counter()
    answers = inner(requests, **options)
    elapsed = time.perf_counter() - start
    return answers


lm.loglikelihood = timed
manager = TaskManager(include_path=tasks, include_defaults=False)
out = simple_evaluate(lm, tasks=["next"], task_manager=manager, num_fewshot=int(fewshot), limit=int(limit), bootstrap_iters=0, log_samples=True)
scores = [resp[0][0] for sample in out["samples"]["next"] for resp in sample["resps"]]
print(json.dumps({"elapsed": elapsed, "scores": scores}))
