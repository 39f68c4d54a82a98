from workers import WorkerEntrypoint, Response
from helper import GREETING


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(GREETING)
