/** What the module gives to controllers and consumers. */
export const CHANGE_FLAG = Symbol('ChangeFlag');
export const ENVIRONMENTS = Symbol('Environments');
export const FLAG_QUERIES = Symbol('FlagQueries');
export const FLAG_STREAMS = Symbol('FlagStreams');
export const FLAG_VIEWS = Symbol('FlagViews');
export const IMPORT_FLAGS = Symbol('ImportFlags');
export const HISTORY = Symbol('History');
export const INSTANCES = Symbol('Instances');
export const COPY_FLAG = Symbol('CopyFlag');
export const DISABLE_FLAGS = Symbol('DisableFlags');
export const ADOPTION = Symbol('Adoption');
export const CHANGE_SEGMENT = Symbol('ChangeSegment');
export const SEGMENT_HISTORY = Symbol('SegmentHistory');
export const SEGMENT_QUERIES = Symbol('SegmentQueries');
export const WRITE_FLAG = Symbol('WriteFlag');
