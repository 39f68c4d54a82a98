export interface Item { n: number }
export const item: Item = { n: 1 };
