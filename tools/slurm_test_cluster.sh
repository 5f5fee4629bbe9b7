#!/usr/bin/env bash
# A Slurm of your own for a test: a controller and two nodes of one core, all on this machine.
#     tools/slurm_test_cluster.sh start FOLDER    then: export SLURM_CONF=FOLDER/slurm.conf
#     tools/slurm_test_cluster.sh stop FOLDER     ends its jobs and daemons, and removes FOLDER
# Needs root and Debian's slurm-wlm and munge. Every file of it, the key of munge too, is in FOLDER.
set -eu
[ $# = 2 ] || { sed -n '3,4p' "$0" | cut -c3-; exit 2; }
folder=$(realpath -m "$2")
export SLURM_CONF=$folder/slurm.conf PATH=$PATH:/usr/sbin

write_conf() {
    local port=$((20000 + RANDOM % 10000)) host; host=$(hostname -s)
    cat > "$SLURM_CONF" <<CONF
ClusterName=apt_nb_test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=1
SchedulerParameters=sched_interval=2
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=1 RealMemory=4000
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

start() {
    if [ -n "$(ls -A "$folder" 2> /dev/null)" ]; then echo "$folder is not empty: give another one" >&2; exit 2; fi
    mkdir -p "$folder/state"
    chmod 755 "$folder" # munged refuses a socket in a folder that others cannot enter
    write_conf
    head -c 1024 /dev/urandom > "$folder/munge.key"
    chmod 600 "$folder/munge.key"
    munged --force --num-threads 2 --key-file "$folder/munge.key" --socket "$folder/munge.socket" \
        --pid-file "$folder/munged.pid" --log-file "$folder/munged.log" --seed-file "$folder/munge.seed" 2>> "$folder/munged.log"
    slurmctld
    slurmd -N n1
    slurmd -N n2
    for _ in $(seq 60); do
        [ "$(sinfo -h -N -t idle -o %N 2> /dev/null | wc -l)" = 2 ] && return
        sleep .5
    done
    echo "Slurm did not start. Its logs:" >&2
    tail -n 20 "$folder"/*.log >&2
    return 1
}

running() { ps -o stat= -p "${*// /,}" 2> /dev/null | grep -q '^[^Z]'; }

wait_while() { for _ in $(seq 40); do "$@" || return 0; sleep .25; done; }

jobs_left() { [ -n "$(timeout 5 squeue -h 2> /dev/null)" ]; }

stop() {
    grep -qs '^ClusterName=apt_nb_test$' "$SLURM_CONF" || { echo "$folder holds no cluster of this script" >&2; return 0; }
    scancel --user "$(id -un)" 2> /dev/null || true
    wait_while jobs_left
    local pids; pids=$(cat "$folder"/*.pid 2> /dev/null | xargs)
    kill $pids 2> /dev/null || true
    wait_while running $pids
    running $pids && kill -9 $pids
    rm -rf "$folder"
}

case $1 in
    start) start || { stop; exit 1; };;
    stop) stop;;
    *) exec "$0";;
esac
