// The rules of Access policies that can be judged without asking an identity provider. Any other rule is never met.
import net from "node:net";

const RULES = {
  everyone: () => true,
  any_valid_service_token: (_, { token }) => token !== undefined,
  service_token: ({ token_id: id }, { token }) => token?.id === id,
  email: ({ email }, who) => who.email?.toLowerCase() === email.toLowerCase(),
  email_domain: ({ domain }, who) => who.email?.toLowerCase().endsWith(`@${domain.toLowerCase()}`) ?? false,
  ip: ({ ip }, who) => inside(ip, who.ip),
  geo: ({ country_code: code }, { country }) => country === code,
  group: (lists, who) => satisfied(lists, who),
};

/** One of `include`, all of `require`, none of `exclude`. */
export function satisfied({ include, require, exclude }, who) {
  return include.some((rule) => met(rule, who)) && require.every((rule) => met(rule, who)) && !exclude.some((rule) => met(rule, who));
}

function met(rule, who) {
  const [kind] = Object.keys(rule);
  return RULES[kind]?.(rule[kind], who) ?? false;
}

function inside(range, address) {
  const [base, bits] = range.split("/");
  const family = net.isIPv6(base) ? "ipv6" : "ipv4";
  if ((net.isIPv6(address) ? "ipv6" : "ipv4") !== family) return false;
  const list = new net.BlockList();
  if (bits === undefined) list.addAddress(base, family);
  else list.addSubnet(base, Number(bits), family);
  return list.check(address, family);
}
