// Stands before the main module of a Worker that others report their invocations to. MAIN is replaced by its
// specifier. Local workerd knows neither the account's name of a Worker nor its version, so both are added here, from the
// props of the connection that the items came by.
import * as user from "MAIN";

export * from "MAIN";

// An item's fields are its own or its class's; a plain object with all of them can also be sent on as JSON.
function told(item, known) {
  const plain = {};
  for (const name in item) plain[name] = item[name];
  return Object.assign(plain, known);
}

function complete(items, props) {
  return props?.tailed === undefined ? items : items.map((item) => told(item, props.tailed));
}

function fromClass(main) {
  return class extends main {
    tail(items) {
      return super.tail(complete(items, this.ctx.props));
    }
  };
}

// `tail` and its first name `trace`; every other handler is found on the user's own object.
function fromObject(main) {
  const handlers = {};
  for (const name of ["tail", "trace"]) {
    if (typeof main[name] === "function") handlers[name] = { value: (items, env, ctx) => main[name](complete(items, ctx.props), env, ctx), enumerable: true };
  }
  return Object.create(main, handlers);
}

export default typeof user.default === "function" ? fromClass(user.default) : fromObject(user.default ?? {});
