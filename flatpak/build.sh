# Sourced by build-bundle and build-remote: what both take and do.
#   --manifest FILE      instead of flatpak/io.github.gangway.Gangway.json
#   --runtime-repo URL   the .flatpakrepo that people without GNOME's runtime get it from; where
#                        their Flatpak knows a remote that has it, none is needed
#   --offline            nothing is downloaded
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
program=$(basename "$0")
manifest=$root/flatpak/io.github.gangway.Gangway.json
runtime_repo=
work=
builder=(--force-clean --disable-rofiles-fuse --disable-updates --ccache --default-branch=stable)

fail() {
    echo "$program: $*" >&2
    exit 2
}

# take_option NAME VALUE: sets how many arguments it took in $taken; fails for what it does not know
take_option() {
    case $1 in
    --manifest | --runtime-repo) [ -n "${2:-}" ] || fail "$1 needs a value" ;;
    esac
    case $1 in
    --manifest) manifest=$(readlink -f "$2") taken=2 ;;
    --runtime-repo) runtime_repo=$2 taken=2 ;;
    --offline) builder+=(--disable-download) taken=1 ;;
    *) fail "unknown argument: $1" ;;
    esac
}

# What the manifest says, without a JSON parser: "NAME": "VALUE" at the outermost level.
manifest_says() {
    sed -n "s/^    \"$1\": \"\\([^\"]*\\)\".*/\\1/p" "$manifest"
}

# The project's own files, and nothing that was built or lies about.
copy_sources() {
    mkdir -p "$1"
    if git -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$root" ls-files -z --cached --others --exclude-standard |
            (cd "$root" && xargs -0 -r sh -c 'for f; do [ -e "$f" ] && printf "%s\0" "$f"; done' sh) |
            tar -C "$root" --null --files-from=- -cf - | tar -C "$1" -xf -
    else
        tar -C "$root" --exclude='./build*' --exclude='./.flatpak-builder' -cf - . | tar -C "$1" -xf -
    fi
}

# build_into REPOSITORY [ARGUMENT OF flatpak-builder…]
build_into() {
    local repository=$1
    shift
    command -v flatpak-builder >/dev/null || fail "flatpak-builder is needed: scripts/install-packages flatpak"
    work=$(mktemp -d "${TMPDIR:-/tmp}/gangway-flatpak-XXXXXX")
    trap 'rm -rf "$work"' EXIT
    copy_sources "$work/sources"
    cp "$manifest" "$work/sources/flatpak/manifest.json"
    mkdir -p "$(dirname "$repository")"
    flatpak-builder "${builder[@]}" --state-dir="${GANGWAY_FLATPAK_STATE:-$work/state}" --repo="$repository" "$@" \
        "$work/app" "$work/sources/flatpak/manifest.json" >&2
}
