"""Jobs: the local Hub has no machines. It says so, and that no job was ever started here."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from tunekit_hub.localhub.context import Call
from tunekit_hub.localhub.refusals import Refusal, unsupported


def _namespace(call: Call) -> str:
    user, namespace = call.known_user(), call.param("namespace")
    if namespace not in user.namespaces:
        raise Refusal(403, f"{user.name} does not see the jobs of {namespace}")
    return namespace


async def no_jobs(call: Call) -> Response:
    """No job was ever started here."""
    _namespace(call)
    return JSONResponse([])


async def no_job(call: Call) -> Response:
    """So none has this id."""
    raise Refusal(404, f"There is no job {call.param('job')} in {_namespace(call)}")


async def run_job(call: Call) -> Response:
    """Refused: a job that is taken and never runs would be worse."""
    _namespace(call)
    raise unsupported("jobs: it has no machines to run them on. Start them on the Hugging Face Hub")


async def no_hardware(_: Call) -> Response:
    """There is nothing here that a job or a Space could run on."""
    return JSONResponse([])


ROUTES = [
    ("GET", "/api/jobs/hardware", no_hardware),
    ("GET", "/api/spaces/hardware", no_hardware),
    ("GET", "/api/jobs/{namespace}", no_jobs),
    ("POST", "/api/jobs/{namespace}", run_job),
    ("GET", "/api/jobs/{namespace}/{job}", no_job),
    ("GET", "/api/jobs/{namespace}/{job}/{what}", no_job),
    ("POST", "/api/jobs/{namespace}/{job}/{what}", no_job),
    ("GET", "/api/scheduled-jobs/{namespace}", no_jobs),
    ("POST", "/api/scheduled-jobs/{namespace}", run_job),
]
