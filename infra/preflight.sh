#!/bin/sh
# Is what the project cannot install by itself there? One sentence for each thing that is missing,
# with the command that installs it on Debian and Ubuntu; exit code 1 when something is.
#
#   preflight.sh            Python, JDK and Maven
#   preflight.sh python     prints the Python to use
#   preflight.sh engines    JDK and Maven only
#   preflight.sh venv DIR   does DIR hold a working virtual environment? (silent; exit code)
set -u

OLDEST_JDK=17

is_fit() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

as_root() {
    if [ "$(id -u)" = 0 ]; then echo "apt-get install -y $1"; else echo "sudo apt-get install -y $1"; fi
}

missing() {
    echo "$1; on Debian: $(as_root "$2")" >&2
}

find_python() {
    without_venv=
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        # A name may be there and yet not run (a shim of a version manager), so it is asked.
        command -v "$name" >/dev/null 2>&1 && is_fit "$name" || continue
        if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
        without_venv=$name
    done
    if [ -n "$without_venv" ]; then
        missing "$without_venv has no venv module" "python3-venv"
    else
        missing "Python 3.11, 3.12 or 3.13 is missing${PYTHON:+ (PYTHON=$PYTHON does not fit)}" \
            "python3 python3-venv"
    fi
    return 1
}

# The program of the JDK that the engines' runner will take (traverse_infra/engines/java.py).
jdk_program() {
    home=${TRAVERSE_JAVA_HOME:-${JAVA_HOME:-}}
    if [ -n "$home" ]; then
        command -v "$home/bin/$1"
    else
        java=$(command -v java) && command -v "$(dirname "$(readlink -f "$java")")/$1"
    fi
}

find_engine_tools() {
    # Tests in containers need neither; who runs them has chosen so.
    [ "${TRAVERSE_TEST_ENGINES:-local}" = containers ] && return 0
    found=0
    javac=$(jdk_program javac) || javac=
    version=
    [ -n "$javac" ] && version=$("$javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
    if [ -z "$version" ]; then
        missing "A JDK of version $OLDEST_JDK or newer (javac) is missing" "openjdk-17-jdk-headless"
        found=1
    elif [ "$version" -lt "$OLDEST_JDK" ]; then
        missing "The JDK in $javac is version $version, and $OLDEST_JDK or newer is needed" \
            "openjdk-17-jdk-headless"
        found=1
    fi
    if ! command -v mvn >/dev/null 2>&1; then
        missing "Maven (mvn) is missing" "maven"
        found=1
    fi
    return $found
}

case ${1:-all} in
    python) find_python ;;
    engines) find_engine_tools ;;
    venv) [ -x "$2/bin/python" ] && is_fit "$2/bin/python" && "$2/bin/python" -m pip --version >/dev/null 2>&1 ;;
    all)
        ok=0
        find_python >/dev/null || ok=1
        find_engine_tools || ok=1
        exit $ok
        ;;
    *)
        echo "usage: preflight.sh [python | engines | venv DIR]" >&2
        exit 2
        ;;
esac
