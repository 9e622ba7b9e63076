# SPDX-License-Identifier: BSD-2-Clause
# Completion of pvsim's command line for bash.

# What a command takes, as its help says it.
_pvsim_options() {
	"$1" "$2" --help 2>/dev/null | grep -o -- '--[a-z-]*' | sort -u
}

_pvsim_policies() {
	"$1" models 2>/dev/null | sed -n '/^POLICIES/,/^$/s/^  \([a-z0-9-]\{1,\}\) .*/\1/p'
}

_pvsim() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]} list
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		list='run check verify compare sweep tune swarm rtapp models --help --version'
		mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word")
		return
	fi
	case $before in
	--policy)
		# the last one of a list
		local head=
		[[ $word == *,* ]] && head=${word%,*},
		mapfile -t COMPREPLY < <(compgen -P "$head" -W "$(_pvsim_policies "$program")" \
			-- "${word##*,}")
		return ;;
	--json | --html | --perfetto | --csv)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return ;;
	--out)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return ;;
	--seed | --seeds | --from | --jobs | --budget | --run | --set | --over | --show | --field | \
		--defect | --cpus)
		return ;;
	esac
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_pvsim_options "$program" "$command")" \
			-- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -X '!*.yaml' -- "$word"
			compgen -f -X '!*.json' -- "$word"; compgen -d -- "$word")
	fi
}

complete -o filenames -F _pvsim pvsim
