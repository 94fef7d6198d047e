/** (epoch, count) as one number, in their order: exact up to epoch 2²¹ and four thousand million claims of a lease. */
export const fencingToken = (epoch: number, count: number): number => epoch * 2 ** 32 + count;
