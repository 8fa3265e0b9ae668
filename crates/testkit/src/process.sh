out=$1 grace=$2
shift 2
exec 3<&0

sh -c 'echo "$$"; out=$1; shift; exec "$@" >&"$out"' sh "$out" "$@" </dev/null 3<&- &
child=$!
exec >/dev/null 2>&1
trap '' TERM

(
    read -r _ <&3
    kill -TERM 0
    while [ "$grace" -gt 0 ] && kill -0 "$child"; do
        sleep 0.1
        grace=$((grace - 1))
    done
    kill -KILL "$child"
) &
watch=$!

wait "$child"
code=$?
kill -KILL "$watch"
kill -TERM 0
exit "$code"
