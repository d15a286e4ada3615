# SPDX-License-Identifier: MIT
# The outcomes of a run of permutations: what came of each step, whatever
# their order; orders that cannot be had are none.
function flush_it(   i, text)
{
	if (any && !invalid) {
		text = ""
		for (i = 1; i <= n; i++)
			text = text name[i] "{" said[name[i]] "}"
		print text
	}
	any = invalid = 0
	split("", said)
}
/^starting permutation:/ {
	flush_it()
	any = 1
	if (!n) {
		for (i = 3; i <= NF; i++)
			name[++n] = $i
	}
	next
}
/^invalid permutation:/ { invalid = 1; next }
/^[0-9]+ of [0-9]+ permutations/ { next }
/^step / {
	at = $2
	sub(/:$/, "", at)
	said[at] = said[at] ($0 ~ /<waiting \.\.\.>$/ ? "(waits)" : "") \
	    ($0 ~ /<never completed>$/ ? "(never)" : "")
	next
}
NF && any { said[at] = said[at] $0 ";" }
END { flush_it() }
