"""Batching of concurrent requests: a pipeline reads their texts together."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Callable, List, NamedTuple, Optional, Sequence, TypeVar

Item = TypeVar("Item")


class Overloaded(Exception):
    """More texts are waiting than the service takes."""


class _Waiting(NamedTuple):
    """An item that waits for its result."""

    item: object
    result: "asyncio.Future[object]"


class Batcher:
    """Collects the items of concurrent requests, and runs a function on batches of them, one batch at a time.

    run (Callable[[List], Sequence]): Takes a batch and returns a result for each item, in order; it runs in a thread.
    batch_size (int): Maximum number of items in a batch.
    delay (float): Seconds to wait for further items if the first of a batch is alone in the queue.
    most (int): Maximum number of waiting items; more are refused.
    """

    def __init__(
        self, run: Callable[[List], Sequence], *, batch_size: int = 64, delay: float = 0.005, most: int = 4096
    ) -> None:
        self.run, self.batch_size, self.delay, self.most = run, batch_size, delay, most
        self.batches = self.items = 0
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relext")
        self._task: Optional[asyncio.Task[None]] = None

    def start(self) -> None:
        """Start processing batches, in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def stop(self) -> None:
        """Stop after the running batch; its results are dropped, and its items and waiting ones are cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        while not self._waiting.empty():
            self._waiting.get_nowait().result.cancel()
        self._thread.shutdown(wait=True)

    async def submit(self, items: Sequence[object]) -> List:
        """Return the results of some items.

        RAISES (Overloaded): If too many are waiting already.
        """
        if self._waiting.qsize() + len(items) > self.most:
            raise Overloaded
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(item, loop.create_future()) for item in items]
        for each in waiting:
            self._waiting.put_nowait(each)
        try:
            return list(await asyncio.gather(*(each.result for each in waiting)))
        except BaseException:
            for each in waiting:
                each.result.cancel()  # the client has gone or an item failed: nobody reads the others
            raise

    async def _work(self) -> None:
        """Run one batch after the other; if stopped, cancel the items of the last one."""
        batch: List[_Waiting] = []
        try:
            while True:
                batch = [await self._waiting.get()]
                if self._waiting.empty():
                    await asyncio.sleep(self.delay)
                while len(batch) < self.batch_size and not self._waiting.empty():
                    batch.append(self._waiting.get_nowait())
                batch = [each for each in batch if not each.result.done()]
                if batch:
                    await self._run(batch)
        finally:
            for each in batch:
                each.result.cancel()

    async def _run(self, batch: List[_Waiting]) -> None:
        self.batches += 1
        self.items += len(batch)
        try:
            loop, items = asyncio.get_running_loop(), [each.item for each in batch]
            # thinc keeps the device in a context variable, which a thread does not inherit
            results = await loop.run_in_executor(self._thread, copy_context().run, self.run, items)
        except Exception as error:  # raised in those who submitted the items, not in this loop
            for each in batch:
                if not each.result.done():
                    each.result.set_exception(error)
            return
        for each, result in zip(batch, results):
            if not each.result.done():
                each.result.set_result(result)
