#!/usr/bin/env bash
# Sees to it that the machine has what requirements/debian.txt lists. What is there already, under any of the names
# below, is used as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

on_path() {
  local name
  for name in "$@"; do command -v "$name" >/dev/null && return; done
  return 1
}

present() {
  case $1 in
    python3-venv) [[ -x .venv/bin/python ]] || python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    chromium) on_path chromium chromium-browser google-chrome google-chrome-stable || playwright_has_chromium ;;
    firefox-esr) on_path firefox-esr firefox ;;
    lib*) ! on_path dpkg || dpkg -s "$1" >/dev/null 2>&1 ;;
    *) on_path "$1" ;;
  esac
}

playwright_has_chromium() {
  compgen -G "${PLAYWRIGHT_BROWSERS_PATH:-${XDG_CACHE_HOME:-$HOME/.cache}/ms-playwright}/chromium-*" >/dev/null
}

missing=()
for package in $(grep -v '^#' requirements/debian.txt); do
  present "$package" || missing+=("$package")
done
((${#missing[@]})) || exit 0

install=(apt-get install -y --no-install-recommends "${missing[@]}")
if [[ -e /etc/debian_version ]] && grep -qx 'ID=debian' /etc/os-release; then
  if ((EUID != 0)); then
    echo "The tests need ${missing[*]}. Run this, then try again: sudo ${install[*]}" >&2
    exit 1
  fi
  echo "Installing ${missing[*]} …"
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive "${install[@]}" -q
  exit
fi

# Elsewhere (Ubuntu's packages of these browsers are snaps) Playwright brings a Chromium of its own, once the set-up has
# brought Playwright; the tests in Firefox are left out where there is none.
present chromium || [[ ! -x .venv/bin/python ]] || .venv/bin/python -m playwright install chromium || {
  echo 'The tests need Chromium or Chrome on PATH, or a network from which Playwright may fetch one.' >&2
  exit 1
}
