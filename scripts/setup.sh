#!/bin/sh
# Make .venv: the locked dependencies, installed by uv. `scripts/setup.sh run` is what running needs, `dev` adds the
# tools of `make test` and `make lint`. Needs Python >= 3.11 and a package index, nothing else.
set -eu
cd "$(dirname "$0")/.."

MINIMUM='import sys; sys.exit(sys.version_info < (3, 11))'
say() { printf '%s\n' "$*" >&2; }

# A command can exist and still be no Python (a version manager's shim for a version that is not selected): try it.
find_python() {
    for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
        if "$name" -c "$MINIMUM" >/dev/null 2>&1; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    say "Python 3.11 or newer is needed and none was found. Install it (Debian, Ubuntu: apt-get install python3"
    say "python3-venv; macOS: brew install python) or name it: make PYTHON=/path/to/python3.12 ..."
    exit 1
}

# uv from PATH, else one of our own in .venv-bootstrap, from the package index that pip is configured for.
find_uv() {
    if command -v uv >/dev/null 2>&1; then
        command -v uv
        return
    fi
    if ! .venv-bootstrap/bin/uv --version >/dev/null 2>&1; then
        say "Fetching uv, which installs the dependencies, into .venv-bootstrap ..."
        rm -rf .venv-bootstrap
        fetch_uv >&2
    fi
    printf '%s\n' "$PWD/.venv-bootstrap/bin/uv"
}

fetch_uv() {
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv .venv-bootstrap
        .venv-bootstrap/bin/python -m pip install --quiet uv
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip install --quiet --target .venv-bootstrap uv
    else
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "This Python has neither ensurepip nor pip. Debian, Ubuntu: apt-get install python$version-venv"
        say "Others: install pip, or uv (https://docs.astral.sh/uv/), with your package manager."
        exit 1
    fi
}

# uv does not read pip's configuration (environment and pip.conf): tell it where this machine's packages are.
pip_setting() {
    "$python" -m pip config list 2>/dev/null | sed -n "s/^[^=]*\.$1='\(.*\)'\$/\1/p" | tail -n 1
}

adopt_pip_settings() {
    index=${UV_DEFAULT_INDEX:-$(pip_setting index-url)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
    extra=${UV_INDEX:-$(pip_setting extra-index-url | sed 's/\\n/ /g')}
    [ -z "$extra" ] || export UV_INDEX="$extra"
    links=${UV_FIND_LINKS:-$(pip_setting find-links | sed 's/\\n/,/g; s/ /,/g')}
    [ -z "$links" ] || export UV_FIND_LINKS="$links"
}

# The lock names the public index. Where that is not the one in use, the same versions are installed from the
# machine's own index, held to the lock's hashes.
sync_locked() {
    [ -z "${UV_DEFAULT_INDEX:-}${own_index}" ] || return 1
    # xllamacpp has to come as a wheel: building it takes a C++ tool chain and a long time.
    "$uv" sync --locked --python "$python" --no-build-package xllamacpp "$@"
}

sync_exported() (
    adopt_pip_settings
    [ -n "${UV_DEFAULT_INDEX:-}${UV_INDEX:-}${UV_FIND_LINKS:-}" ] || return 1
    "$uv" venv --quiet --allow-existing --python "$python" .venv
    "$uv" export --quiet --frozen --no-emit-project "$@" --output-file .venv/requirements.txt
    "$uv" pip sync --quiet --require-hashes --only-binary xllamacpp --index-strategy unsafe-best-match \
        --python .venv .venv/requirements.txt &&
        "$uv" pip install --quiet --no-deps --python .venv --editable .
)

install() { sync_locked "$@" || sync_exported "$@"; }

python=$(find_python)
export UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=.venv UV_NO_PROGRESS="${CI:-}"
[ -n "$UV_NO_PROGRESS" ] || unset UV_NO_PROGRESS
unset VIRTUAL_ENV || true
own_index=$(pip_setting index-url)
uv=$(find_uv)
groups=--no-dev
if [ "${1:-dev}" = dev ] || [ -e .venv/.ready-dev ]; then groups=--dev; fi

if ! install "$groups" --extra embedded; then
    say
    say "Trying again without the embedded model's runtime (xllamacpp), which may not exist for this platform ..."
    install "$groups"
    say "Installed without the embedded model: answers need Ollama or an OpenAI-compatible server (see config.toml)."
    say "'make setup' tries again."
fi
touch .venv/.ready-run
[ "$groups" = --no-dev ] || touch .venv/.ready-dev
