"""Task files run by lm-evaluation-harness on two small models: packages/perennial/src/evaluate/tasks/golden/."""

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
from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

logging.disable(logging.WARNING)
ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "packages/perennial/src/evaluate/tasks/golden"
TINY, BASE = GOLDEN / "model", ROOT / "examples/quickstart/base"
# As many as the test repeats; the harness' default is 100,000.
RESAMPLES = 2000


def pages(language):
    with gzip.open(ROOT / f"examples/quickstart/{language}.jsonl.gz", "rt", encoding="utf8") as file:
        return [json.loads(line) for line in file]


def write_data():
    english, basque = pages("english"), {page["id"]: page["text"] for page in pages("basque")}
    rows = []
    for page in english[::9]:
        lines = [line for line in page["text"].split("\n") if 40 < len(line) < 160 and line.endswith(".")]
        title = page["text"].split("\n")[0]
        other = basque.get(page["id"], "").split("\n")[0]
        if len(lines) < 3 or not other.strip() or len(title) < 8:
            continue
        words = lines[0][:-1].split(" ")
        rows.append(
            {
                "topic": title,
                "question": f" {lines[0]} ",
                "right": lines[1],
                "wrong1": lines[2],
                "wrong2": title,
                "options": [words[-1], words[0].lower()],
                "label": len(lines[0]) % 2,
                "prefix": " ".join(words[:-1]),
                "suffix": lines[1][:40],
                "text": lines[2][:-1],
                "page": f"{page['text'][:60 + 37 * (len(rows) % 11) + (900 if len(rows) % 5 == 0 else 0)]} \n",
                "english": title,
                "basque": other,
            }
        )
    for name, part in (("train", rows[:14]), ("test", rows[14:34])):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part)
        (GOLDEN / f"tasks/{name}.jsonl").write_text(text, encoding="utf8")


def write_model():
    """Tokens as Llama 2 has them: metaspaces, bytes for what is unknown, <s> before each text."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)]
    )
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=640, special_tokens=["<unk>", "<s>", "</s>", *bytes_], show_progress=False, max_token_length=8)
    tokenizer.train_from_iterator((page["text"] for page in pages("english")[:60]), trainer)
    # Bytes are tokens of the vocabulary, not added ones.
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [token for token in data["added_tokens"] if not token["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    fast.save_pretrained(TINY)
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=640,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.4,
        bos_token_id=1,
        eos_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(TINY)


# Trims, as many templates do; <s> begins it.
CHAT = (
    "{{ bos_token }}{% for message in messages %}{{ '<' + message['role'] + '> ' + message['content'] | trim + eos_token + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant> ' }}{% endif %}"
)


def run_as_chat(multiturn):
    """What is asked and answered; contexts and metrics follow from these."""
    model = AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(TINY)
    tokenizer.chat_template = CHAT
    lm = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=1, device="cpu", max_length=256)
    manager = TaskManager(include_path=str(GOLDEN / "tasks"), include_defaults=False)
    names = ["everything", "answer", "translate"]
    out = simple_evaluate(lm, tasks=names, task_manager=manager, bootstrap_iters=0, limit=3, log_samples=True,
                          apply_chat_template=True, fewshot_as_multiturn=multiturn, system_instruction="Answer briefly.")  # fmt: skip
    return {task: [{key: sample[key] for key in ("doc_id", "filter", "arguments", "resps")} for sample in items] for task, items in out["samples"].items()}


def run(folder, max_length):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    lm = HFLM(pretrained=model, tokenizer=PreTrainedTokenizerFast.from_pretrained(folder), batch_size=1, device="cpu", max_length=max_length)
    names = ["everything", "pages", "answer", "translate"]
    manager = TaskManager(include_path=str(GOLDEN / "tasks"), include_defaults=False)
    out = simple_evaluate(lm, tasks=names, task_manager=manager, bootstrap_iters=RESAMPLES, log_samples=True)
    samples = {
        task: [
            {
                **{key: sample[key] for key in ("doc_id", "target", "arguments", "resps", "filtered_resps", "filter", "doc_hash", "prompt_hash", "target_hash")},
                "scores": {name: sample[name] for name in sample["metrics"]},
            }
            for sample in items
        ]
        for task, items in out["samples"].items()
    }
    kept = ("results", "groups", "group_subtasks", "versions", "n-shot", "higher_is_better", "n-samples")
    return {"max_length": max_length, **{key: out[key] for key in kept}, "samples": samples}


write_data()
write_model()
os.chdir(GOLDEN / "tasks")
golden = {"lm_eval": __version__, "resamples": RESAMPLES, "tiny": run(TINY, 256), "base": run(BASE, 512)}
golden["chat"] = {"template": CHAT, "multiturn": run_as_chat(True), "one_turn": run_as_chat(False)}
plain = lambda value: value.tolist() if hasattr(value, "tolist") else str(value)
(GOLDEN / "lm-eval.json").write_text(json.dumps(golden, ensure_ascii=False, default=plain) + "\n", encoding="utf8")
