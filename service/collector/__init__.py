"""The collector: poll, count, write panes and offsets together, tell the log system."""

from service.collector.loop import Collector as Collector
from service.collector.options import CollectorOptions as CollectorOptions
