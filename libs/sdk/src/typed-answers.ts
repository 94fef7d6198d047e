import { modes } from '@tidegate/contracts';
import type { Details, EvaluationContext } from '@tidegate/evaluation';
import type { Mode } from './tidegate.port.ts';

/** What callers ask for by type, all of it on top of `details`. */
export abstract class TypedAnswers {
  abstract details<T>(key: string, defaultValue: T, context?: EvaluationContext): Details<T>;

  boolean(key: string, defaultValue: boolean, context?: EvaluationContext): boolean {
    return this.details(key, defaultValue, context).value;
  }

  string(key: string, defaultValue: string, context?: EvaluationContext): string {
    return this.details(key, defaultValue, context).value;
  }

  number(key: string, defaultValue: number, context?: EvaluationContext): number {
    return this.details(key, defaultValue, context).value;
  }

  object<T extends object>(key: string, defaultValue: T, context?: EvaluationContext): T {
    return this.details(key, defaultValue, context).value;
  }

  mode(key: string, defaultValue: Mode, context?: EvaluationContext): Mode {
    const { value } = this.details<string>(key, defaultValue, context);
    return modes.find((mode) => mode === value) ?? defaultValue;
  }
}
