import time
from concurrent.futures import ThreadPoolExecutor

import requests

GATEWAY = "http://127.0.0.1:8000"

tasks = [f"Write one sentence about the number {n}." for n in range(1, 11)]


def run_task(content):
    response = requests.post(f"{GATEWAY}/tasks", json={"content": content})
    response.raise_for_status()
    task_id = response.json()["task_id"]
    while True:
        task = requests.get(f"{GATEWAY}/tasks/{task_id}").json()
        if task["status"] == "completed":
            return task["metadata"]["model"], task["result"]
        if task["status"] == "failed":
            raise RuntimeError(task)
        time.sleep(1)


with ThreadPoolExecutor(max_workers=5) as executor:
    results = list(executor.map(run_task, tasks))

for number, (model, result) in enumerate(results, 1):
    print(f"[{number}] ({model}) {result}")
