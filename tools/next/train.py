"""Train what notebooks of the demo ask for, and do not execute them: python train.py 02,08,09 16
16 is the number of processes."""
import sys
from pathlib import Path

if __name__ == '__main__':
    import apt_nb
    from apt_nb.reproduce import make_tasks, train_all
    only, jobs = sys.argv[1:]
    failed = train_all(make_tasks(Path(apt_nb.__file__).parent.parent, 'demo', only), int(jobs))
    sys.exit(len(failed) > 0)
