"""Instruction tuning: rows are conversations, and the answers in them are what is learned."""

from __future__ import annotations

from tunekit_hub.tasks import Measure, Task, _chat, _use
from tunekit_hub.tasks._chat_evaluation import evaluate, replay
from tunekit_hub.tasks._chat_rows import examine, parse
from tunekit_hub.tasks._chat_snippet import answers, snippet
from tunekit_hub.tasks._forms import find_form

INSTRUCTION_TUNING = Task(
    name="instruction_tuning",
    pipeline_tag="text-generation",
    trainer="sft",
    accepts=(
        "`messages` or `conversations` (a list of turns with `role` and `content`, or `from` and `value`), "
        "`instruction` and `output` (`input` if there is one), `prompt` and `completion`, "
        "or `question` and `answer`; `system` beside any of them; "
        "or `dialogue`, a text with `User:` and `Assistant:` at the beginning of lines"
    ),
    detect=lambda rows, columns: find_form(rows.table, columns),
    examine=examine,
    parse=parse,
    text=_chat.text,
    measures={
        "loss": Measure("loss per token", "number"),
        "perplexity": Measure("perplexity", "number"),
        "stopped": Measure("answers that end by themselves", "share"),
    },
    evaluate=evaluate,
    replay=replay,
    snippet=snippet,
    purpose=answers,
    use=_use.chat,
)
