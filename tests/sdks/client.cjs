// One call of the AWS SDK for JavaScript: its operation and request are the arguments.
// It prints the answer, or the name and the HTTP status of the error, as JSON.
const { inspect } = require("node:util");
const fsx = require("@aws-sdk/client-fsx");

const [operation, request] = process.argv.slice(2);
const client = new fsx.FSxClient({});

async function main() {
  const input = JSON.parse(request);
  if (operation === "paginateDescribeBackups") {
    const pages = [];
    for await (const page of fsx.paginateDescribeBackups({ client, pageSize: 2 }, input)) {
      pages.push(page.Backups.map((backup) => backup.BackupId));
    }
    return pages;
  }
  const { $metadata, ...answer } = await client.send(new fsx[`${operation}Command`](input));
  return answer;
}

main().then(
  (answer) => console.log(JSON.stringify(answer)),
  (error) => {
    const known = error instanceof fsx.FSxServiceException && error.name in fsx;
    console.log(JSON.stringify({ error: error.name, known, status: error.$metadata?.httpStatusCode }));
    console.error(inspect(error));
  },
);
