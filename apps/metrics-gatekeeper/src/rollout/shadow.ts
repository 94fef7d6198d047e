import type { Verdict } from '@tidegate/contracts';
import { shareKey } from '@tidegate/gates';
import { type Course, emit } from './course.ts';
import { aboutStep } from './draft.ts';
import { type Existing, isLive, watchedIndex } from './state.ts';

/** Tells once a step of each guard in shadow that would have rolled back. That is all it does. */
export function shadowsNow(course: Course): Course {
  const { state, check } = course;
  if (!isLive(state) || !check) return course;
  const about = aboutWatched(state, check.evidence.stage);
  const isNews = ({ guard, outcome, shadow }: Verdict): boolean =>
    shadow === true &&
    outcome === 'breach' &&
    !(state.wouldHaveBreached ?? []).includes(shareKey(guard, about.step));
  return emit(
    course,
    ...check.verdicts.filter(isNews).map((verdict) => {
      const { guard, message } = verdict;
      return { type: 'GuardWouldBreach' as const, data: { ...about, guard, message, verdict } };
    }),
  );
}

/** The step that the evidence is about, or before the first one that the rollout stands at. */
function aboutWatched(state: Existing, name: string) {
  const index = watchedIndex(state.plan, name);
  return index === -1 ? aboutStep(state) : aboutStep(state, index);
}
