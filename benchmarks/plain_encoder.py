"""A text classifier as a careful user writes it with transformers' Trainer: `encoder_speed.py` runs it as a side.

python benchmarks/plain_encoder.py BASE TRAIN.jsonl VALIDATION.jsonl OUT EPOCHS RATE BATCH
"""

import json
import sys
from pathlib import Path
from typing import Any


def accuracy(said: Any) -> dict[str, float]:
    """The share of rows whose label was found."""
    return {"accuracy": float((said.predictions.argmax(-1) == said.label_ids).mean())}


def main(base: str, train: str, validation: str, out: str, epochs: str, rate: str, batch: str) -> None:
    """Train, look at the validation rows after each pass, save."""
    import transformers
    from datasets import Dataset

    rows = {name: [json.loads(row) for row in Path(name).read_text().splitlines()] for name in (train, validation)}
    labels = sorted({row["label"] for row in rows[train]})
    ids = {name: i for i, name in enumerate(labels)}
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(base)
    data = {
        name: Dataset.from_list([{"text": row["text"], "label": ids[row["label"]]} for row in some]).map(
            lambda part: tokenizer(part["text"], truncation=True), batched=True
        )
        for name, some in rows.items()
    }
    trainer = transformers.Trainer(
        model=transformers.AutoModelForSequenceClassification.from_pretrained(
            base, num_labels=len(labels), id2label=dict(enumerate(labels)), label2id=ids
        ),
        args=transformers.TrainingArguments(
            output_dir=out,
            use_cpu=True,
            num_train_epochs=float(epochs),
            learning_rate=float(rate),
            per_device_train_batch_size=int(batch),
            warmup_steps=0.1,
            weight_decay=0.01,
            eval_strategy="epoch",
            save_strategy="no",
            report_to="none",
        ),
        train_dataset=data[train],
        eval_dataset=data[validation],
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
        compute_metrics=accuracy,
        processing_class=tokenizer,
    )
    trainer.train()
    trainer.save_model(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
