export function aVeryLongName(parameter) {
  return parameter + 1;
}
