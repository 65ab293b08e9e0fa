# Sourced by build-bundle and build-remote: what both take and do.
#   --manifest FILE      instead of flatpak/io.github.gangway.Gangway.json
#   --runtime-repo URL   the .flatpakrepo that people without GNOME's runtime get it from, by default
#                        Flathub's; "" for none
#   --offline            nothing is downloaded
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
program=$(basename "$0")
manifest=$root/flatpak/io.github.gangway.Gangway.json
runtime_repo=https://dl.flathub.org/repo/flathub.flatpakrepo
work=
made= # what build-bundle has built into
builder=(--force-clean --disable-rofiles-fuse --disable-updates --ccache --default-branch=stable)

fail() {
    echo "$program: $*" >&2
    exit 2
}

# take_option NAME VALUE: sets how many arguments it took in $taken; fails for what it does not know
take_option() {
    case $1 in
    --manifest) [ -n "${2:-}" ] || fail "$1 needs a value" ;;
    --runtime-repo) [ $# -ge 2 ] || fail "$1 needs a value" ;;
    esac
    case $1 in
    --manifest) manifest=$(readlink -f "$2") taken=2 ;;
    --runtime-repo) runtime_repo=$2 taken=2 ;;
    --offline) builder+=(--disable-download) taken=1 ;;
    --help | -h)
        # What stands at the head of the program, and of this file.
        sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
        sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
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
    # Whatever happens, nothing is left behind.
    trap 'rm -rf "$work" "$made"' EXIT
    work=$(mktemp -d "${TMPDIR:-/tmp}/gangway-flatpak-XXXXXX")
    copy_sources "$work/sources"
    cp "$manifest" "$work/sources/flatpak/manifest.json"
    mkdir -p "$(dirname "$repository")"
    flatpak-builder "${builder[@]}" --state-dir="${GANGWAY_FLATPAK_STATE:-$work/state}" --repo="$repository" "$@" \
        "$work/app" "$work/sources/flatpak/manifest.json" >&2
}
