"""Write exports of Label Studio."""

import json


def one_task(folder, result, data=None, **annotation):
    """Write an export of one task with the results of one annotation, and return its path."""
    path = folder / "one.json"
    task = {
        "id": 3,
        "data": data or {"text": "Rain falls."},
        "annotations": [{"result": result, **annotation}],
    }
    path.write_text(json.dumps([task]), encoding="utf-8")
    return path
