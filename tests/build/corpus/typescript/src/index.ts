import { item } from "./lib";

export default {
  async fetch(): Promise<Response> {
    return Response.json(item);
  },
};
