"""
Names of programs and words, in lists: data for the rules beside this module.
"""


def named(text: str) -> frozenset[str]:
    """
    The words of a text.
    """
    return frozenset(text.split())


#: Words that begin something larger than a command.
RESERVED = named(
    """
    ! [[ ]] case coproc do done elif else end esac fi for foreach function if in nocorrect noglob repeat select
    then time until while
    """
)

#: Built into shells, and no ordinary programs: they change what later words mean, or run words.
BUILTINS = named(
    """
    . : alias autoload bg bind bindkey break builtin caller cd chdir command compgen complete compopt continue
    declare dirs disable disown emulate enable eval exec exit export fc fg float functions getopts hash history
    integer jobs let local logout mapfile popd pushd read readarray readonly return sched set setopt shift shopt
    source suspend times trap type typeset ulimit umask unalias unfunction unhash unset unsetopt wait whence
    where which zle zmodload
    """
)

#: What reads commands.
SHELLS = named(
    """
    ash bash busybox cmd command csh dash elvish fish ksh mksh nu nushell oksh pdksh posh powershell pwsh rbash
    rc sh tcsh toybox xonsh yash zsh
    """
)

#: What reads programs, or may be told to run some.
INTERPRETERS = named(
    """
    awk bun clisp crystal cscript dart deno dotnet ed elixir emacs emacsclient erl ex expect gawk gdb ghc ghci
    gjs groovy gsed guile iex ipython irb java jjs jshell julia kotlin lldb lua luajit m4 mawk mono mysql nano
    nawk node nodejs nvim original-awk osascript perl php phpdbg pico pike pry psql pypy python pythonw qjs r
    racket raku rscript ruby runghc rvim sbcl scala sed sqlite swift swipl tclsh ts-node tsx vi view vim vimdiff
    wish wscript
    """
)

#: What runs the rest of its arguments, here or elsewhere.
WRAPPERS = named(
    """
    aoss at automator batch bwrap capsh catatonit catchsegv chpst chroot chrt cpulimit crontab dbus-launch
    dbus-run-session doas dtach dtruss dumb-init eatmydata entr env envdir exec fakeroot faketime firejail
    flatpak-spawn flock gosu gtimeout i386 inotifywait ionice ktrace launchctl ldd linux32 linux64 logsave
    ltrace mosh nc ncat netcat newgrp nice nohup nsenter nsjail numactl open parallel perf pkexec prlimit proot
    proxychains proxychains4 rlwrap rsh run-parts runcon runuser screen script sem setarch setlock setpriv
    setsid setuidgid sg shortcuts slogin socat softlimit ssh ssh-agent sshpass start-stop-daemon stdbuf strace
    su su-exec sudo sudoedit systemctl systemd-run taskset tcpdump time timeout tini tmux torify torsocks tsocks
    unbuffer unshare valgrind visudo watch winpty wsl x-terminal-emulator x86_64 xargs xdg-open xterm xvfb-run
    """
)

#: What runs what files around it say, or what it has downloaded.
BUILDERS = named(
    """
    ant apk apt apt-get aptitude bazel bower brew bundle bundler c++ cargo cc clang clang++ cmake composer conda
    cpan cpanm ctest dnf docker docker-compose dpkg easy_install flatpak g++ gcc gem gmake go gradle gradlew
    grunt guix gulp hatch helm jake jest just kubectl ld lein make mamba meson mise mocha mvn mvnw nerdctl
    nimble ninja nix nix-shell nox npm npx nsupdate pacman pip pipenv pipx pnpm pnpx podman poetry port pytest
    rake rpm rustc rustup rvm sbt scons snap stack swiftc task tcc terraform tox trial twistd uv uvx vagrant
    yarn yum zypper
    """
)

#: What git does by itself; a name that is none of these may be an alias for a command.
GIT = named(
    """
    add am annotate apply archive blame branch cat-file checkout cherry cherry-pick clean clone commit
    count-objects describe diff diff-files diff-index diff-tree fetch for-each-ref format-patch fsck gc grep
    hash-object help init log ls-files ls-remote ls-tree merge merge-base mv name-rev notes prune pull push
    range-diff rebase reflog remote reset restore rev-list rev-parse revert rm shortlog show show-ref
    sparse-checkout stash status switch symbolic-ref tag version whatchanged worktree
    """
)
