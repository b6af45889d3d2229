"""Tasks in the style of published ones (ARC, HellaSwag, MMLU, GSM8K, LAMBADA, WikiText) run by lm-evaluation-harness on the
small model that lm_eval_tasks.py made: packages/perennial/src/evaluate/tasks/golden/styles/."""

import gzip
import json
import logging
import os
from pathlib import Path

os.environ["HF_DATASETS_OFFLINE"] = "1"
import torch
from lm_eval import __version__, simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

logging.disable(logging.WARNING)
ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "packages/perennial/src/evaluate/tasks/golden"
STYLES = GOLDEN / "styles"
RESAMPLES = 500
NUM_FEWSHOT = 2


def write(name, rows):
    (STYLES / f"{name}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf8")


def write_data():
    with gzip.open(ROOT / "examples/quickstart/english.jsonl.gz", "rt", encoding="utf8") as file:
        pages = [json.loads(line)["text"] for line in file]
    lines = [line for page in pages for line in page.split("\n") if 40 < len(line) < 90 and line.endswith(".")]
    # Four sentences make a question; no two questions share one.
    quads = [lines[4 * i : 4 * i + 4] for i in range(40)]
    arc = []
    for i, (question, *choices) in enumerate(quads[:12]):
        labels = ["1", "2", "3"] if i % 3 == 0 else ["A", "B", "C"]
        arc.append({"question": question, "choices": {"text": choices, "label": labels}, "answerKey": labels[i % 3]})
    write("arc-train", arc[:5])
    write("arc-test", arc[5:])
    swag = [{"query": q, "choices": rest, "label": str(i % 3)} for i, (q, *rest) in enumerate(quads[12:20])]
    write("swag-train", swag[:4])
    write("swag-validation", swag[4:])
    for k, subject in enumerate(("anatomy", "virology", "law")):
        # Groups of different sizes, so that a mean by size is not the mean of means.
        rows = [{"question": f" {q[0]} ", "choices": [line[:24] for line in q], "answer": (i + k) % 4} for i, q in enumerate(quads[20 : 26 + 2 * k])]
        write(f"{subject}-dev", rows[:3])
        write(f"{subject}-test", rows[3:])
    sums = [{"question": f"{q[0]} How many are {i + 2} and {3 * i}?", "answer": f"{i + 2} + {3 * i} = {4 * i + 2}\n#### {4 * i + 2:,}"} for i, q in enumerate(quads[32:40])]
    write("gsm-train", sums[:4])
    write("gsm-test", sums[4:])
    write("lambada", [{"text": q[0][:-1]} for q in quads[:8]])
    write("wikitext", [{"page": f" {page[:300]} \n"} for page in pages[:5]])


def run(names, **options):
    model = AutoModelForCausalLM.from_pretrained(GOLDEN / "model", dtype=torch.float32)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(GOLDEN / "model")
    lm = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=1, device="cpu", max_length=256)
    manager = TaskManager(include_path=str(STYLES), include_defaults=False)
    out = simple_evaluate(lm, tasks=names, task_manager=manager, bootstrap_iters=RESAMPLES, log_samples=True, **options)
    kept = ("results", "groups", "group_subtasks", "versions", "n-shot", "higher_is_better", "n-samples")
    keys = ("doc_id", "filter", "arguments", "resps", "filtered_resps", "prompt_hash")
    samples = {task: [{key: sample[key] for key in keys} for sample in items] for task, items in out["samples"].items()}
    return {**{key: out[key] for key in kept if key in out}, "samples": samples}


write_data()
os.chdir(STYLES)
golden = {
    "lm_eval": __version__,
    "resamples": RESAMPLES,
    "as_written": run(["style_arc_easy", "style_hellaswag", "style_gsm8k", "style_lambada", "style_wikitext", "style_mmlu"]),
    "few_shot": {"num_fewshot": NUM_FEWSHOT, **run(["style_arc_easy", "style_hellaswag", "style_gsm8k", "style_mmlu"], num_fewshot=NUM_FEWSHOT, limit=3)},
}
plain = lambda value: value.tolist() if hasattr(value, "tolist") else str(value)
(STYLES / "golden.json").write_text(json.dumps(golden, ensure_ascii=False, default=plain) + "\n", encoding="utf8")
