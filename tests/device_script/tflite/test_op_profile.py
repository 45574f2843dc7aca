from __future__ import annotations

from tests.beds import models
from tests.device_script.conftest import CPU, Ask


def test_an_op_profile_names_the_executor_of_each_op(ask: Ask) -> None:
    chain = models.chain_model(3, (1, 64, 64, 8), (models.OPS.RELU, models.OPS.LOG_SOFTMAX, models.OPS.LOGISTIC))
    rows = ask(chain, profile=True).profile or ()
    assert [(row.type, row.executor) for row in rows] == [
        ("Clamp (NC)", "xnnpack"),
        ("LOG_SOFTMAX", None),
        ("Sigmoid (NC)", "xnnpack"),
    ]
    assert rows[1].mean_us > 0
    plain = ask(chain, profile=True, asked="cpu", delegate=CPU).profile or ()
    assert [(row.name, row.executor) for row in plain] == [
        ("RELU:0", None),
        ("LOG_SOFTMAX:1", None),
        ("LOGISTIC:2", None),
    ]
