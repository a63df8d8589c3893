"""Texts that several tests read, and where real data lie if they are on this machine."""

from __future__ import annotations

from pathlib import Path

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"

ENGLISH = [
    "How do I reset my password if I no longer have access to my old mailbox?",
    "Open the sign-in page, choose the link below the form and follow the steps that we send to you.",
    "My parcel was due on Monday and the tracking page has not changed since the weekend.",
    "I am sorry about the delay. The courier had a breakdown, and your parcel should arrive tomorrow.",
    "Can I change the delivery address after the order has been placed?",
    "Yes, as long as it has not left our warehouse. Open the order and choose another address.",
]
