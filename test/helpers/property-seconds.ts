// EVENKEEL_PROPERTY_SECONDS: how long a property is tried, where a machine is so slow that its number of
// runs would take hours. At least one run is made, and what fails fails.
import fc from 'fast-check';

fc.configureGlobal({
  interruptAfterTimeLimit: Number(process.env['EVENKEEL_PROPERTY_SECONDS']) * 1000,
});
