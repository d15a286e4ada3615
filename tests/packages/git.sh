#!/bin/sh
# SPDX-License-Identifier: MIT
# A repository's life.  Names and dates are given, so that all object ids are
# the same each time.
# usage: git.sh FILES COMMITS
set -eu
files=$1 commits=$2
exec 2>&1
GIT_CONFIG_NOSYSTEM=1
GIT_CONFIG_GLOBAL=$PWD/config
GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org
GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org
GIT_TERMINAL_PROMPT=0
export GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_AUTHOR_NAME \
    GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL \
    GIT_TERMINAL_PROMPT
cat >config <<'END'
[init]
	defaultBranch = main
[pack]
	threads = 2
[index]
	threads = 2
[grep]
	threads = 2
[checkout]
	workers = 2
	thresholdForParallelism = 10
[core]
	preloadIndex = true
[gc]
	auto = 0
	autoDetach = false
END
git init -q repo
cd repo
clock=1700000000

# Adds what there is, a minute later than before.
commit()
{
	clock=$((clock + 60))
	GIT_AUTHOR_DATE="$clock +0000" GIT_COMMITTER_DATE="$clock +0000" "$@"
}

awk -v files="$files" 'BEGIN {
	for (n = 0; n < files; n++) {
		dir = "d" n % 20
		if (n < 20)
			system("mkdir " dir)
		file = dir "/f" n
		for (line = 0; line < 30; line++)
			print "line " line " of " n % 50 ": " line * n > file
		close(file)
	}
}'
git add .
commit git commit -q -m first
for n in $(seq "$commits"); do
	echo "change $n" >>"d$((n % 20))/f$((n % 20))"
	commit git commit -q -a -m "commit $n"
	if [ "$n" = $((commits / 2)) ]; then
		git checkout -q -b side
	fi
done
git checkout -q main
echo other >new
git add new
commit git commit -q -m 'on main'
commit git merge -q --no-ff -m merged side
git status --short --branch
git log --format='%H %T %at %s'
git gc -q --prune=now
git fsck --full --strict --no-progress
git repack -q -a -d -f --window=10
git count-objects -v | sed '/^size/d'
git for-each-ref
git cat-file --batch-all-objects --batch-check | sort | sha256sum
git grep -c 'line 7 of 7' | sort | sha256sum
cd ..
git clone -q --no-local repo clone
cd clone
git rev-parse HEAD "HEAD^{tree}" origin/side
git checkout -q side
git status --short
git verify-pack .git/objects/pack/*.idx
# A hook, an alias that is a shell command, and a refused commit.
printf '#!/bin/sh\necho refused; exit 3\n' >.git/hooks/pre-commit
chmod +x .git/hooks/pre-commit
echo more >>d0/f0
commit git commit -q -a -m 'not so' || echo "commit: $?"
git -c alias.say='!echo said; exit 5' say || echo "alias: $?"
git archive HEAD | sha256sum
