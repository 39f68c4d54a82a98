import old from "old";
export default { fetch() { return new Response(String(old.answer())); } };
