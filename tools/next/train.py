"""Train what notebooks of the demo ask for, and do not execute them: python train.py 02,08,09 16 graphs
16 is the number of processes. With `graphs`, steps run as CUDA graphs (needs a GPU)."""
import sys
from pathlib import Path

if __name__ == '__main__':
    import apt_nb
    from apt_nb.reproduce import make_tasks, train_all
    only, jobs, *graphs = sys.argv[1:]
    tasks = make_tasks(Path(apt_nb.__file__).parent.parent, 'demo', only)
    for t in tasks: t.values['settings'] = t.values.get('settings', {}) | dict(cuda_graph=bool(graphs))
    failed = train_all(tasks, int(jobs))
    sys.exit(len(failed) > 0)
