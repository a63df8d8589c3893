"""The few lines that run in the browser."""

from __future__ import annotations

# For gr.HTML: a click on one of its buttons becomes an event with the button's action and value.
ON_CLICK = """
element.addEventListener('click', event => {
  const button = event.target.closest('button[data-action]');
  if (button && !button.disabled && (!button.dataset.sure || window.confirm(button.dataset.sure))) {
    trigger('click', {action: button.dataset.action, value: button.dataset.value});
  }
});
"""

# The address carries the run, and nothing else of it changes. A Space stands in a frame of the Hub's page, whose
# own address follows when it is told.
KEEP_ADDRESS = """
run => {
  const asked = new URLSearchParams(window.location.search);
  if (run) { asked.set('run', run); } else { asked.delete('run'); }
  const query = asked.toString();
  window.history.replaceState(null, '', query ? '?' + query : window.location.pathname);
  if (window.parent !== window) {
    const told = {queryString: run ? 'run=' + encodeURIComponent(run) : '', hash: ''};
    window.parent.postMessage(told, 'https://huggingface.co');
  }
}
"""

# The data that were chosen last, and as which guest, stay with this window: through a refresh, through signing in.
KEEP_DATA = """
(source, guest) => {
  try { window.sessionStorage.setItem('tunekit-data', JSON.stringify([source || '', guest || ''])); } catch {}
}
"""

# The run of the address, and the data of this window, as the inputs of the first event.
ARRIVE = """
() => {
  let kept = ['', ''];
  try { kept = JSON.parse(window.sessionStorage.getItem('tunekit-data')) || kept; } catch {}
  return [new URLSearchParams(window.location.search).get('run') || '', kept[0], kept[1]];
}
"""
