"""Chat templates of common shapes, rendered by transformers: packages/perennial/src/tokenizer/chat/golden/chat.json."""

import json
from pathlib import Path

from jinja2.exceptions import TemplateError
from transformers.utils.chat_template_utils import _compile_jinja_template

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
TEMPLATES = {
    "chatml": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "chatml-default-system": "{%- if messages[0]['role'] == 'system' %}\n    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}\n"
    "{%- else %}\n    {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}\n{%- endif %}\n"
    "{%- for message in messages %}\n    {%- if (message.role == 'user') or (message.role == 'system' and not loop.first) or (message.role == 'assistant') %}\n"
    "        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n    {%- endif %}\n{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n    {%- if enable_thinking is defined and enable_thinking is false %}\n"
    "        {{- '<think>\\n\\n</think>\\n\\n' }}\n    {%- endif %}\n{%- endif %}\n",
    "llama3": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}"
    "{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    "gemma": "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}",
    "inst": "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'].strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'].strip() + eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}",
    "namespaces": "{%- set ns = namespace(system='', turns=0) -%}\n{%- for m in messages %}\n  {%- if m.role == 'system' -%}\n    {%- set ns.system = m.content -%}\n"
    "  {%- else -%}\n    {%- set ns.turns = ns.turns + 1 -%}\n  {%- endif -%}\n{%- endfor -%}\n{{ bos_token }}{% if ns.system %}[{{ ns.system | upper }}]{% endif %}\n"
    "{% for m in messages if m.role != 'system' %}\n{{ loop.index }}/{{ ns.turns }} {{ m.role | capitalize }}: {{ m.content }}\n{% endfor %}\n"
    "{% macro end(x, y=3) %}<{{ x }}{{ y }}>{% endmacro %}{{ end('e') }}{{ end('f', 4) }}",
    "values": "{{ [1, 2.5, 'a', \"it's\", none, true] }}{{ {'k': [none, 'v']} }}{{ (1, 'x') }}{{ none }}{{ true }}{{ 1.0 }}{{ 0.00001 }}{{ messages | length }}"
    "{{ missing }}{{ ' a\u00a0' | trim }}|{{ '..a..'.strip('.') }}|{{ 'élan VITAL'.capitalize() }}|{{ messages[0].content | tojson }}|{{ ['a', 'b'] | join('-') }}",
}
CONVERSATIONS = [
    [{"role": "user", "content": " Kaixo! \n"}],
    [{"role": "system", "content": "Erantzun euskaraz."}, {"role": "user", "content": "Zer da 2 + 2?"}],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": " b "}, {"role": "user", "content": "it's \"c\" <&> ñ"}],
]

cases = []
for name, source in TEMPLATES.items():
    template = _compile_jinja_template(source)
    for messages in CONVERSATIONS:
        for prompt in (True, False):
            case = {"template": name, "messages": messages, "prompt": prompt}
            try:
                case["text"] = template.render(messages=messages, tools=None, documents=None, add_generation_prompt=prompt, **TOKENS)
            except TemplateError as error:
                case["error"] = str(error)
            cases.append(case)
out = Path(__file__).parents[2] / "packages/perennial/src/tokenizer/chat/golden/chat.json"
out.write_text(json.dumps({"tokens": TOKENS, "templates": TEMPLATES, "cases": cases}, ensure_ascii=False, indent=1) + "\n")
