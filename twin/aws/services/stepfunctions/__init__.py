"""Executions of state machines of Step Functions: moto's interpreter, in a process as its role."""
