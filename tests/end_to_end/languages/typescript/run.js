// Previews a compiled program on the twin: `node run.js PROGRAM PLUGIN`. The program runs inside of this process
// (Pulumi's Automation API), which needs no language host.
const fs = require("fs");
const path = require("path");
const automation = require("@pulumi/pulumi/automation");

const [program, plugin] = process.argv.slice(2);

// The packages on npm may be older than the providers of the twin: take the installed ones by their folders.
function installed() {
    const folder = path.join(process.env.PULUMI_HOME, "plugins");
    const names = fs.readdirSync(folder).map(name => /^resource-(\w+)-v[\d.]+$/.exec(name));
    return names.filter(Boolean).map(match => ({ name: match[1], path: path.join(folder, match[0]) }));
}

async function main() {
    const workDir = fs.mkdtempSync(path.join(__dirname, "project-"));
    const stack = await automation.LocalWorkspace.createOrSelectStack(
        { stackName: "typescript", projectName: "typescript", program: async () => require(path.resolve(program)) },
        {
            workDir,
            projectSettings: {
                name: "typescript",
                runtime: "nodejs",
                plugins: { providers: [{ name: "aiplatform", path: plugin }, ...installed()] },
            },
        },
    );
    const preview = await stack.preview({ suppressProgress: true });
    console.log(JSON.stringify(preview.changeSummary));
}

main().then(() => process.exit(0), error => {
    console.error(error.message);
    process.exit(1);
});
