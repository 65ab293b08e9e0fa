"""The stack that people write by hand: FastAPI that pushes each task to Redis."""

import uuid

import redis.asyncio as redis
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
store = None


class Task(BaseModel):
    content: str


@app.on_event("startup")
async def connect():
    global store
    import os

    store = redis.Redis(unix_socket_path=os.environ["PEER_REDIS_SOCKET"])


@app.post("/tasks")
async def submit(task: Task):
    task_id = str(uuid.uuid4())
    async with store.pipeline(transaction=True) as pipe:
        pipe.hset(f"task:{task_id}", mapping={"status": "queued", "content": task.content})
        pipe.rpush("queue", task_id)
        await pipe.execute()
    return {"task_id": task_id, "status": "queued"}
