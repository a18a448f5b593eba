"""
What `folk doctor` looks at.

In each module `look_*` gathers facts of this machine and `judge_*` says what they mean, with the
line that mends what is wrong: the second is tested with facts of machines that are not here.
"""
