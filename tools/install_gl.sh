#!/bin/sh
# Bring EGL and a software renderer where a context cannot be had and apt may install; else say how.
python=$1
packages="libegl1 libgl1 libgl1-mesa-dri"
has_gl() { "$python" -c 'from facegen.rendering.egl.context import open_context; open_context(0).release()' 2>/dev/null; }

has_gl && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing $packages"
    apt-get update -qq && apt-get install -y -qq $packages >/dev/null
elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then
    echo "Installing $packages"
    sudo apt-get update -qq && sudo apt-get install -y -qq $packages >/dev/null
fi
has_gl && exit 0
echo "No OpenGL through EGL here: install $packages (or your system's names for them)" >&2
exit 1
