import { decode, type WireRecord } from '@tidegate/contracts';
import { isRejection, messageOf } from '@tidegate/kernel';
import type { BusReport, ViewSource } from './bus.port.ts';

/** Gives a record to a view; what it cannot read or apply must not keep the others from it. */
export function applyRecord(
  source: ViewSource,
  record: WireRecord,
  report: (report: BusReport) => void,
): void {
  const passOver = (code: string, message: string): void => {
    report({ kind: 'passed-over', topic: source.topic, code, message });
  };
  const tryApply = (...[key, message]: Parameters<ViewSource['apply']>): void => {
    try {
      source.apply(key, message);
    } catch (error) {
      passOver('BUS_FAILED', messageOf(error));
    }
  };
  if (record.value === null) return tryApply(record.key ?? '', undefined);
  const decoded = decode(record);
  if (isRejection(decoded)) return passOver(decoded.code, decoded.message);
  return tryApply(record.key ?? decoded.message.key, decoded.message);
}
