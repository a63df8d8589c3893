"""Playwright where it is installed; where it is not, the `browser` fixture says so before this is used."""

from __future__ import annotations

try:
    from playwright.sync_api import Page as Page
    from playwright.sync_api import expect as expect
except ImportError:
    Page = expect = None
