import { defineMigration } from '@tidegate/migration';

export default defineMigration({
  id: 'application-stages-indexes',
  phase: 'schema',
  description: 'What the migration of applications, and lists by stage, look applications up by.',
  target: 'recruiting',
  collection: 'applications',
  indexes: [
    { name: 'applications_by_stages_version', fields: { stagesVersion: 1, _id: 1 } },
    { name: 'applications_by_current_stage', fields: { job: 1, currentStage: 1 } },
  ],
});
