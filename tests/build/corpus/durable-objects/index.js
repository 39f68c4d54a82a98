export class Room {}
export class Older {}
export default {
  async fetch(request, env) {
    return new Response("hello");
  },
};
