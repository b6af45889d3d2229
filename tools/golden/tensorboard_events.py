"""Reads an event file with TensorBoard and writes what it saw: tensorboard_events.py EVENTS JSON. The file is made by tensorboard.test.ts."""

import json
import math
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.compat.proto.event_pb2 import SessionLog

source, target = sys.argv[1:]
number = lambda value: "nan" if math.isnan(value) else value
events = []
for event in LegacyEventFileLoader(source).Load():
    row = {"wallTime": event.wall_time}
    if event.HasField("file_version"):
        row["fileVersion"] = event.file_version
    else:
        row["step"] = event.step
    if event.HasField("summary"):
        row["scalars"] = {value.tag: number(value.simple_value) for value in event.summary.value}
    if event.HasField("session_log"):
        row["session"] = SessionLog.SessionStatus.Name(event.session_log.status)
    events.append(row)
accumulator = EventAccumulator(source)
accumulator.Reload()
shown = {tag: [[point.step, number(point.value)] for point in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}
with open(target, "w") as file:
    json.dump({"events": events, "accumulated": shown}, file, indent=1, ensure_ascii=False)
    file.write("\n")
