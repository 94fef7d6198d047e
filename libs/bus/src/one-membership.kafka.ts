import kafkajs, { type Cluster } from 'kafkajs';

/** kafkajs has them, and does not say so in its types. */
interface Committing {
  readonly memberId: string;
  readonly groupGenerationId: number;
  /** The same object in each attempt of one commit. */
  readonly topics: object;
}
interface Coordinator {
  offsetCommit(commit: Committing): Promise<unknown>;
}
interface Finding {
  findGroupCoordinator(group: { groupId: string }): Promise<Coordinator>;
  findBroker(broker: object): Promise<Coordinator>;
}

/**
 * kafkajs tries a commit again that was not answered, also when it has joined the group anew meanwhile: as the new
 * member it then commits what the old one had handled, and the group goes back. A commit is made by one membership.
 */
export function commitAsOneMember(cluster: Cluster): void {
  const guarded = new WeakSet<Coordinator>();
  const members = new WeakMap<object, string>();
  const guard = (coordinator: Coordinator): Coordinator => {
    if (guarded.has(coordinator)) return coordinator;
    guarded.add(coordinator);
    const commit = coordinator.offsetCommit.bind(coordinator);
    coordinator.offsetCommit = async (committing) => {
      const { memberId, groupGenerationId, topics } = committing;
      const member = `${groupGenerationId} ${memberId}`;
      const first = members.get(topics) ?? member;
      members.set(topics, first);
      if (first === member) return commit(committing);
      throw new kafkajs.KafkaJSNonRetriableError('The member has joined anew meanwhile.');
    };
    return coordinator;
  };
  const finding = cluster as unknown as Finding;
  const find = finding.findGroupCoordinator.bind(finding);
  const again = finding.findBroker.bind(finding);
  finding.findGroupCoordinator = async (group) => guard(await find(group));
  finding.findBroker = async (broker) => guard(await again(broker));
}
