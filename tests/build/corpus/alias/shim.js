export const thing = "shim";
